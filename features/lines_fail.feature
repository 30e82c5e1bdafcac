Feature: A line fails, or the controller dies
  Lines come back and controllers start again. The money is settled once all the same.

  Source: EV guide, error scenarios; PSP guide, session management

  @must @R-FLT-01 @R-SES-13 @R-FLT-06
  Rule: A charger that cannot be reached is waited for, but not for ever

    @S-G01 @sample
    Scenario: The link to the charger is away for 30 seconds
      Given the driver is charging at connector 1
      And the charger is offline
      And 30 seconds have passed
      When the link to the charger comes back
      Then energy still flows at connector 1
      And the driver's session stays open

    @S-G02
    Scenario: The link to the charger never comes back
      Given the driver is charging at connector 1
      When the link to the charger is lost
      Then the driver's session is committed within 660 seconds

    @S-G02 @R-RTY-03
    Scenario: The controller dies while the charger cannot be reached
      Given the driver is charging at connector 1
      And the charger is offline
      And 5 minutes have passed
      When the controller dies and starts again
      Then the driver's session is committed within 360 seconds

    @S-G03 @R-FLT-03
    Scenario: The link to the charger is lost before any energy
      Given the driver comes with the sleepy
      And the driver has been authorised
      And the driver has plugged in at connector 1
      When the link to the charger is lost
      Then the driver's session is released within 660 seconds

    @S-G06 @R-NOS-01 @R-EXT-12
    Scenario: The link to the charger is lost before the charge can be started
      Given the driver has been authorised
      And the charger is offline
      When the driver plugs in at connector 1
      Then no energy flows at connector 1
      And the driver's session is released within 310 seconds

    @S-G07 @R-STP-03
    Scenario: The driver taps to stop while the charger cannot be reached
      Given the driver is charging at connector 1
      And the charger is offline
      And the driver has tapped
      And 10 seconds have passed
      When the link to the charger comes back
      Then energy stops at connector 1 within 20 seconds
      And the driver's session is committed within 20 seconds

    @S-G07 @R-STP-03
    Scenario: The charger cannot be reached to stop, and never comes back
      Given the driver is charging at connector 1
      And the charger is offline
      When the driver taps
      Then the driver's session stays open
      And the driver's session is committed within 660 seconds

  @must @R-FLT-05 @R-SES-09
  Rule: What a charger says after the close changes nothing

    @S-G04
    Scenario: The charger comes back with a newer register after the commit
      Given the driver is charging at connector 1
      And the charger is offline
      And 11 minutes have passed
      When the link to the charger comes back
      Then energy stops at connector 1 within 20 seconds
      And the controller has sent one close

  @should @R-FLT-04
  Rule: A meter that is not heard is reported, and the last reading counts

    @S-G08
    Scenario: The charger is there, and its meter says nothing
      Given the driver is charging at connector 1
      And the meter of connector 1 has fallen silent
      And 2 minutes have passed
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the controller raises the alarm meter

  @must @R-TRM-01 @R-TRM-02
  Rule: A terminal without its host opens no paid session

    @S-H01
    Scenario: The host is away when the driver taps
      Given the terminal cannot reach its host
      And the driver has plugged in at connector 1
      When the driver taps
      Then no session is opened
      And no energy flows at connector 1
      And the driver is told declined

  @must @R-TRM-03 @R-SES-09
  Rule: A close that the terminal confirms without its host is a close

    @S-H02 @sample
    Scenario: The host is away when the driver leaves
      Given the driver is charging at connector 1
      And the terminal cannot reach its host
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds

  @must @R-FLT-07 @R-RTY-03
  Rule: A controller that starts again finishes what it has begun

    @S-J06
    Scenario: The controller dies during the charge, and the charge goes on
      Given the driver is charging at connector 1
      And the controller has died and started again
      When the driver unplugs at connector 1
      Then the driver's session is committed within 20 seconds

    @S-J06 @R-STP-04
    Scenario: The controller dies during the charge, and the card still stops it
      Given the driver is charging at connector 1
      And the controller has died and started again
      And 20 seconds have passed
      When the driver taps
      Then the driver's session is committed within 20 seconds

    @S-J06 @R-AMT-02
    Scenario: The controller dies on the way to the reserved amount
      Given the controller reserves EUR 3.00
      And the driver comes with the van
      And the driver is charging at connector 1
      When the controller dies and starts again
      Then energy stops at connector 1 within 1 hour
      And the driver's session is committed for at most EUR 3.00

    @S-J07 @R-SES-03 @sample
    Scenario: The vehicle leaves while the controller is dead
      Given the driver is charging at connector 1
      And the controller has died
      And the driver has driven off from connector 1
      When the controller starts again
      Then the driver's session is committed within 60 seconds
