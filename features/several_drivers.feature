Feature: Several drivers at one terminal
  One terminal serves many connectors. Every driver pays for the own charge, no other.

  Source: PSP guide, session management

  @must @R-MUL-01 @R-SES-08 @R-MUL-02
  Rule: Sessions are kept apart

    @S-L01
    Scenario: Two drivers start and stop interleaved
      Given the driver is charging at connector 1
      And the second driver is charging at connector 2
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the second driver's session stays open
      And energy still flows at connector 2

    @S-L01 @R-NOS-01
    Scenario: Two drivers pay one after the other, and neither plugs in
      Given the driver has been authorised
      And 60 seconds have passed
      And the second driver has been authorised
      When 5 minutes pass
      Then every session is closed within 10 seconds

    @S-L02 @R-RTY-10
    Scenario: One driver stops while another is being authorised
      Given the driver is charging at connector 1
      And the issuer answers after 20 seconds
      And the second driver has tapped
      And 3 seconds have passed
      When the driver unplugs at connector 1
      Then the driver's session is committed within 60 seconds
      And the second driver's session stays open

    @S-L05 @R-STP-11
    Scenario: Both vehicles are unplugged in the same second
      Given the driver is charging at connector 1
      And the second driver is charging at connector 2
      When all drivers unplug in the same second
      Then every session is closed within 10 seconds

    @S-L06 @R-FLT-03 @sample
    Scenario: One connector fails while the other charges
      Given the driver is charging at connector 1
      And the second driver is charging at connector 2
      When connector 1 reports GroundFailure
      Then the driver's session is committed within 10 seconds
      And energy still flows at connector 2
      And the second driver's session stays open

    @S-L09 @R-MUL-04
    Scenario: Eight connectors, eight drivers
      Given the site has eight connectors
      And eight drivers are charging
      When all drivers unplug in the same second
      Then every session is closed within 30 seconds

  @must @R-MUL-03
  Rule: What one card on two connectors means is declared

    @S-L03
    Scenario: A card with a running charge stops it
      Given the controller claims to refuse a card twice
      And the driver is charging at connector 1
      When the driver taps
      Then the driver's session is committed within 10 seconds
      And one session has been opened

    @S-L03 @psp
    Scenario: A card with a running charge starts another
      Given the controller claims to allow a card twice
      And the driver is charging at connector 1
      And the driver has pressed start at connector 2
      When the driver taps and is authorised
      Then two sessions have been opened
      And energy still flows at connector 1

    @S-L03 @psp
    Scenario: One card charges twice, and the screen says which charge it stops
      Given the controller claims to allow a card twice
      And the driver is charging at connector 1
      And the driver is charging at connector 2
      And the driver has pressed stop at connector 2
      When the driver taps
      Then the driver's session is committed within 10 seconds
      And energy still flows at connector 1

  @must @R-MUL-04 @R-NOS-06
  Rule: No energy flows on a connector without its session

    @S-L04
    Scenario: The driver pays for one connector and plugs in at the other
      Given the driver has been authorised for connector 1
      When the driver plugs in at connector 2
      Then one session has been opened

  @must @R-MUL-05 @R-RTY-02 @cps
  Rule: A session that another system has closed is closed

    @S-L07
    Scenario: The back office cancels first
      Given the driver has been authorised
      And another system has cancelled the driver's session
      When 20 minutes pass
      Then the controller has sent one close

  @should @R-PSP-04 @apollo
  Rule: A duplicate sessionId is reported and loses no session

    @S-L08
    Scenario: The terminal reports a duplicate sessionId
      Given the terminal answers the next authorisation with a duplicate sessionId
      When the driver taps
      Then the controller raises the alarm other
      And the terminal is ready for the next card
