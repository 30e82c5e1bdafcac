Feature: Whose card stops the charge
  Only the driver who pays stops the charge; everybody else changes nothing.

  Source: EV guide, tap to stop and UI stop

  @must @R-STP-06 @R-STP-07
  Rule: A foreign card stops nothing and holds nothing

    @S-M01
    Scenario: A stranger taps
      Given the site has one connector
      And the driver is charging at connector 1
      When the second driver taps
      Then energy still flows at connector 1
      And the driver's session stays open
      And one session has been opened

    @S-M01
    Scenario: A stranger taps, and then the driver
      Given the site has one connector
      And the driver is charging at connector 1
      And the second driver has tapped
      And 20 seconds have passed
      When the driver taps
      Then the driver's session is committed within 10 seconds

    @S-M06
    Scenario: A payment card at a charge that an RFID card has started
      Given the site has one connector
      And the controller claims to accept RFID cards
      And the driver is charging at connector 1 with the rfid card
      And 5 seconds have passed
      When the second driver taps
      Then energy still flows at connector 1

    @S-M07 @R-STP-05
    Scenario: The screen selects one charge, the card belongs to the other
      Given the driver is charging at connector 1
      And the second driver is charging at connector 2
      And the driver has pressed stop at connector 2
      When the driver taps
      Then the driver is told wrong card
      And energy still flows at connector 1
      And energy still flows at connector 2

  @must @R-STP-03 @R-UI-01 @R-STP-01 @R-STP-04
  Rule: A driver whose card is not recognised stops by unplugging

    @S-M02
    Scenario: The same account on the phone
      Given the site has one connector
      And the driver pays with the visa card
      And the driver is charging at connector 1
      When the driver taps the wallet card
      Then the driver is given an answer
      And energy still flows at connector 1
      And the driver's session stays open

    @S-M03
    Scenario: A card without a hash
      Given the driver pays with the no hash card
      And the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

    @S-M03 @R-STP-06 @R-STP-07
    Scenario: A stranger's card has no hash
      Given the site has one connector
      And the driver is charging at connector 1
      When the second driver taps the no hash card
      Then energy still flows at connector 1
      And the driver's session stays open

    @S-M03 @R-STP-06 @R-STP-07
    Scenario: Neither the driver's card nor the stranger's has a hash
      Given the site has one connector
      And the driver pays with the hashless card
      And the driver is charging at connector 1
      When the second driver taps the no hash card
      Then energy still flows at connector 1
      And the driver's session stays open

  @must @R-NOS-09 @R-SES-11 @R-SES-09
  Rule: The tap that stops a charge starts nothing

    @S-M04 @sample
    Scenario: The right card is not authorised again
      Given the driver is charging at connector 1
      When the driver taps
      Then the driver's session is committed within 10 seconds
      And one authorisation has been attempted

    @S-M05
    Scenario: The driver taps to stop what has already ended
      Given the driver is charging at connector 1
      And the driver has driven off from connector 1
      And 10 seconds have passed
      When the driver taps
      Then never more than one session is open at once
