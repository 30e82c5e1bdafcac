Feature: Paying for a charge
  A driver pays by card, charges and leaves, and pays for what was delivered, once.
  Everything here goes well; what goes wrong has features of its own.

  Source: EV guide, start and stop use cases; PSP guide, session management

  @must @R-NOS-05 @R-STP-01 @R-SES-06 @R-SES-08
  Rule: Unplugging ends the charge and settles it

    @S-A01
    Scenario: Tap, plug in, charge, unplug
      Given the driver has been authorised
      And the driver has plugged in at connector 1
      And 3 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the terminal is ready for the next card

  @must @R-STP-03 @R-STP-04 @R-STP-08 @R-STP-09
  Rule: The card that started a charge stops it

    @S-A02 @sample
    Scenario: The driver taps the same card to stop
      Given the driver is charging at connector 1
      When the driver taps
      Then the driver's session is committed within 10 seconds
      And a receipt for the driver is offered
      And the terminal is ready for the next card

  @must @R-NOS-06 @R-STP-01
  Rule: A controller may wait for the vehicle before it reads cards

    @S-A03 @R-UI-01 @R-UI-06
    Scenario: Plug in first, then tap
      Given the controller claims to read cards only for a waiting vehicle
      And the driver has plugged in at connector 2
      When the driver taps and is authorised
      Then energy flows at connector 2 within 30 seconds
      And the driver is told charging

    @S-A03
    Scenario: No vehicle waits, so no card is read
      Given the controller claims to read cards only for a waiting vehicle
      When 2 minutes pass
      Then the terminal is not asked for a card

  @must @R-STP-05 @R-NOS-06 @R-MUL-04
  Rule: A driver may choose the connector, and stop it, on the charger's screen

    @S-A04
    Scenario: Choose connector 2, charge, stop on the screen with the same card
      Given the controller claims to start at its own screen
      And the driver has been authorised for connector 2
      And the driver has plugged in at connector 2
      And 2 kWh have been delivered at connector 2
      And the driver has pressed stop at connector 2
      When the driver taps
      Then the driver's session is committed within 10 seconds

  @must @R-STP-10 @R-SES-03
  Rule: A vehicle that is full does not keep its driver's money

    @S-A05
    Scenario: The vehicle is full and stays plugged in
      Given the driver comes with the motorcycle
      And the driver is charging at connector 1
      When the vehicle at connector 1 becomes full
      Then the driver's session is committed within 10 seconds

  @must @R-AMT-02
  Rule: The reserved amount bounds the charge

    @S-A06
    Scenario: The cost reaches the reserved amount
      Given the controller reserves EUR 3.00
      And the driver comes with the van
      When the driver charges at connector 1
      Then energy stops at connector 1 within 1 hour
      And the driver's session is committed for at most EUR 3.00

  @must @R-UI-02 @R-UI-03
  Rule: A card that is no payment card opens no session

    @S-A07
    Scenario: A known RFID card charges without a payment
      Given the controller claims to accept RFID cards
      And the driver has plugged in at connector 1
      When the driver taps the rfid card
      Then energy flows at connector 1 within 30 seconds
      And the terminal is ready for the next card
      And no authorisation is attempted
      And no session is opened

    @S-A08 @R-CPS-03
    Scenario: An unknown RFID card is turned away
      Given the controller claims to accept RFID cards
      And the driver has plugged in at connector 1
      When the driver taps the rfid unknown card
      Then the terminal reads cards again within 15 seconds
      And the driver is told declined
      And no authorisation is attempted
      And no energy flows at connector 1

  @must @R-UI-04
  Rule: There is a receipt for every session

    @S-A09
    Scenario: A receipt after a charge
      Given the driver is charging at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And a receipt for the driver is offered

    @S-A09
    Scenario: A receipt after a session that was released
      Given the driver has been authorised
      When 5 minutes pass
      Then the driver's session is released within 10 seconds
      And a receipt for the driver is offered

  @must @R-TRM-07 @R-PSP-08 @apollo
  Rule: The connection to the terminal is kept alive

    @S-A10
    Scenario: A whole charge on one connection
      Given the driver is charging at connector 1
      And 3 kWh have been delivered at connector 1
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the line to the terminal is never idle for 20 seconds

  @must @R-SES-01 @R-SES-05
  Rule: No session is forgotten among many

    @S-A11
    Scenario: A hundred drivers one after another
      When 100 drivers charge one after another at connector 1
      Then never more than one session is open at once
      And the terminal is ready for the next card

  @must @R-AMT-11 @R-EXT-03 @R-EXT-06
  Rule: The driver knows the amount before the tap

    @S-A12
    Scenario: The terminal shows what will be reserved
      Given the station is ready
      When the driver taps and is authorised
      Then the amount shown before the tap is the amount reserved
      And the price has been shown before the tap

  @must @R-UI-01
  Rule: A driver is told what to do, and what has been done

    @S-A01
    Scenario: The tap is approved, and the plug is awaited
      Given the station is ready
      When the driver taps and is authorised
      Then the driver is told plug in

    @S-A13 @R-UI-06
    Scenario: The charge begins, and the driver can see it
      Given the station is ready
      When the driver charges at connector 1
      Then energy still flows at connector 1
      And the driver has been told charging

  @must @R-SES-02
  Rule: A session is on disk before energy flows

    @S-A13
    Scenario: The site loses power the moment energy is enabled
      Given the driver has been authorised
      And the driver has plugged in at connector 1
      When the site loses power for 60 seconds once energy is enabled at connector 1
      Then every session is closed within 90 seconds
